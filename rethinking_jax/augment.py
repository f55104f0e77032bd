"""tmp."""


def names(text):
    return tuple(filter(None, text.split("+")))


def crops(text):
    return bool({"crop", "inception_crop"} & set(names(text)))


def augment(names, seed, epoch, ids, images, crop_size):
    return images
