"""What a results folder holds: trials, leases, tables and the paper's claims."""
