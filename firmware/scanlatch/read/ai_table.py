# The GS1 application identifiers that this terminal knows, one row each (GS1 General Specifications 3.2).

# Row: newline, identifier, "*" where no separator follows (predefined length) else blank, then the components with
# a blank between: N digits, X character set 82, Y character set 39; a length, or ".." and the greatest length. Behind
# it what must hold: "k" check digit last, "d" date YYMMDD whose day may be 00. The table ends with a newline.
TABLE = b"""
00*N18k
01*N14k
02*N14k
10 X..20
11*N6d
12*N6d
13*N6d
15*N6d
16*N6d
17*N6d
20*N2
21 X..20
22 X..20
235 X..28
240 X..30
30 N..8
37 N..8
7003 N10
7004 N..4
710 X..20
711 X..20
712 X..20
713 X..20
714 X..20
715 X..20
716 X..20
717 X..20
90 X..30
91 X..90
92 X..90
93 X..90
94 X..90
95 X..90
96 X..90
97 X..90
98 X..90
99 X..90
"""
