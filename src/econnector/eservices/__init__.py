"""The products that ride on calls: one room each, every room with the same four things."""
