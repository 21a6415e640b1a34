"""PyTorch's names that do little or nothing here, kept together: other machines, older names, what is not provided."""
