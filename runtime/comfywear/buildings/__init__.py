"""What building management reads of a device: one table of points, a register map (Modbus), objects (BACnet)."""
