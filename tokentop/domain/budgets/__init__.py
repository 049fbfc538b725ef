"""What users, projects and teams may spend: periods, sums, burn, clocks, and who may go on."""
