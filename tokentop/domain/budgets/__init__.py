"""What users, projects and teams may spend: periods, sums, burn, clocks, authorization."""
