"""The classes of CIFAR-10 and of Fashion-MNIST, in Spanish."""

PHRASES = {
    "airplane": "avión",
    "automobile": "automóvil",
    "bird": "pájaro",
    "cat": "gato",
    "deer": "venado",
    "dog": "perro",
    "frog": "rana",
    "horse": "caballo",
    "ship": "barco",
    "truck": "camión",
    "T-shirt/top": "playera",
    "Trouser": "pantalón",
    "Pullover": "suéter",
    "Dress": "vestido",
    "Coat": "abrigo",
    "Sandal": "sandalia",
    "Shirt": "camisa",
    "Sneaker": "tenis",
    "Bag": "bolsa",
    "Ankle boot": "botín",
}
