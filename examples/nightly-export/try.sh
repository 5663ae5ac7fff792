syncd trigger source.files.stock
