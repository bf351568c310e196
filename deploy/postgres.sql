-- Run once in single-user mode on a fresh cluster; statements end at a blank line. The superuser has no password, so nobody
-- can log in as it: the owner below is all that Nuanlian needs.
CREATE ROLE nuanlian LOGIN NOSUPERUSER CREATEROLE CREATEDB PASSWORD '{password}';

CREATE DATABASE nuanlian OWNER nuanlian;

