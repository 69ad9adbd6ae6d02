"""The tables as data: experiments, protocol, cells, plans and printed figures."""
