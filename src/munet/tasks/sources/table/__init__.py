"""`csv:FILE`: a table of file names and labels (CSV, TSV, JSONL, Parquet) beside the images.

    source.py    the source, and its options
    read.py      a table of any of these formats as columns of text
    records.py   the rows of a JSON file
    nested.py    columns of objects
    columns_known.py  what people call the columns
    columns.py   which columns hold the images, the labels and the splits
    labels.py    class names from a column or from one column for each class
    rows.py      the examples that the rows make
    paths.py     the file that a name in the table means

pandas and pyarrow read the formats; nothing of a table is interpreted as numbers or dates on the way.
"""
