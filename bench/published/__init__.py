"""The workloads W1 to W6 of published FHIR server benchmarks, rebuilt: one file each, and one way to run them.

``make bench``. A workload is what its clients ask, one iteration after the other; every answer is checked.
"""
