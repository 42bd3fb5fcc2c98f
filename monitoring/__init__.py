"""What watches the pipeline."""
