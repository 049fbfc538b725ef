"""What demand means for prices, capacity and costs."""
