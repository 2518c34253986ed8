"""Logs of training runs: files to raw tables, columns to roles, curves to runs, cleaning."""
