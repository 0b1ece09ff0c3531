"""Tables: where they are, what their commits carry, what people ask them."""
