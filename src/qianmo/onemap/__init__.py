"""One map: recognise, locate, harmonise, check, repair, level (一张图)."""
