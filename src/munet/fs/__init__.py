"""Bytes on a local disk.

atomic.py  files written whole or not at all
sizes.py   sizes such as 2GB
locks.py   advisory locks between processes
"""
