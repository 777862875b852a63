nodes  = 2
old    = ["v100"]
script = "echo one"
