"""What a dbt project gets of fsync, and how it is put there without touching anything else."""
