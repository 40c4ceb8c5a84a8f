"""What a model is: slots, architecture, modules, cost, its loader, and its way from timm and back."""
