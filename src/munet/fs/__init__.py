"""Bytes on a local disk.

atomic.py  files written whole or not at all
locks.py   advisory locks between processes
"""
