"""LLaVA's two training stages on Hugging Face's classes and Trainer: feature alignment and visual instruction tuning (Liu et al. 2023)."""
