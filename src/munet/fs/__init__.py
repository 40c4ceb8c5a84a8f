"""Bytes on a local disk.

folders.py   open folders, in which no link is followed and nothing but plain files is opened
atomic.py    files written whole or not at all
tree.py      Tree: the files below one directory, which no link leads out of
decoding.py  JSON and TOML of outside files, within bounds
sealed_zip.py  zip archives that carry their checksum
sizes.py     sizes such as 2GB
opened.py    addresses that a user has opened of their own accord
cache.py     munet's cache folder, and how much it may hold
object_store.py  stores of objects, through the library obstore; bucket.py one of them as keys and bytes
refusals.py  why a store refused, and what helps
buckets.py   the bucket behind an address; hub_bucket.py a repository of the Hugging Face hub as one
locks.py     advisory locks between processes; lock_holders.py who holds one
ssh_keygen.py  signatures by OpenSSH
"""
