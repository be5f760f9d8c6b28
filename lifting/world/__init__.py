"""The world that people stand in: gravity, floor, contact of feet, moving cameras, and filters of motion.

Functions of arrays. World: metres, right-handed, z up, the floor at z = 0.
"""
