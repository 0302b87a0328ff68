-- Cosignatures are kept by the worker, which has verified them; whoever serves requests only reads them.
SET lock_timeout = '5s';
REVOKE INSERT ON vault_cosignatures FROM holdfast_app;
