"""The seven services: their fifteen endpoints and what their answers mean."""
