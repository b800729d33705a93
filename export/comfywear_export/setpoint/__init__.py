"""A simulated room with people in it, controllers of its setpoint, and a policy learnt by trying."""
