"""The strongest check there is: the whole input by the specification, held against ClickHouse."""
