"""The experiments of Liao, Leibo and Poggio (2016), from data to report.

Data flows one way: experiment (data) -> cells -> search -> trial -> store -> report.
Nothing here but `architectures`, `trial`, `search` and the loaders imports TensorFlow,
so that the command line answers at once.
"""
