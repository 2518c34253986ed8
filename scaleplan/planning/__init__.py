"""What a training run takes and reaches: allocation, forecast, time, memory, money and energy."""
