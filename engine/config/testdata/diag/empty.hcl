# warning -1: the configuration is empty
