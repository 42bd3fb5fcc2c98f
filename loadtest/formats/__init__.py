"""What Avro would cost in the place of JSON; docs/adr/0008 has what came of it."""
