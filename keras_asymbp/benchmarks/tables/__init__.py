"""The tables as data: experiments, protocol, cells, plans and the printed figures."""
