"""The speed benchmarks: python -m benchmarks.speed"""
