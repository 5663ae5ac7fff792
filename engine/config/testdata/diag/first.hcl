flwo "a" {} # error: Did you mean "flow"?
