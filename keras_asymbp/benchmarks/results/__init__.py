"""Results folders: trials, leases, filled tables and the paper's claims."""
