"""Sentences that earlier versions wrote into work directories and results, in Spanish."""

PHRASES = {
    "Needs label noise with 50 corrupted labels.":
        "Hace falta: ruido en las etiquetas con 50 etiquetas corrompidas.",
    "Test error at the threshold is, {told}; 95 % intervals, paired over {n:d} draws. At most "
    "{most:g} counts as removed.":
        "El error de prueba en el umbral es {told}; intervalos del 95 %, pareados sobre {n} "
        "sorteos. A lo más {most} cuenta como eliminado.",
    "{noise}: {difference:g} ({low:g} to {high:g}) above N = {width:d}, without a ridge {without}":
        "{noise}: {difference} ({low} a {high}) por encima de N = {width}, sin ridge "
        "{without}",
}  # fmt: skip
