image = "ami-1"
type  = "g6.xlarge"
