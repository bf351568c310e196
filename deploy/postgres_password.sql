-- Run in single-user mode when the password file was lost: the owner gets the new one.
ALTER ROLE nuanlian PASSWORD '{password}';

