"""Taking a card payment: the contract with a processor, and one module per processor. Card numbers never come here."""
