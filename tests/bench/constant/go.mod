module constant

go 1.26
