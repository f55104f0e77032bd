"""The words of the report page itself, in Spanish."""

PHRASES = {
    "How many claims came out how": "Cuántas afirmaciones resultaron y cómo",
    "None of {n} claims was measured by these runs.":
        "Ninguna de las {n} afirmaciones se midió en estos entrenamientos.",
    "The one claim that was measured holds.": "La única afirmación que se midió se cumple.",
    "All {n} measured claims hold.": "Se cumplen las {n} afirmaciones que se midieron.",
    "{yes} of {n} measured claims hold; this one does not: {claim}.":
        "De las {n} afirmaciones que se midieron se cumplen {yes}; esta no: {claim}.",
    "{yes} of {n} measured claims hold; {no} do not, the first of them: {claim}.":
        "De las {n} afirmaciones que se midieron se cumplen {yes}; {no} no, la primera: {claim}.",
    "what does a network memorize?": "¿qué memoriza una red?",
    "What does a network memorize, and does it generalize all the same?":
        "¿Qué memoriza una red, y aun así generaliza?",
    "Contents": "Contenido",
    "Arrow keys move along a curve and from curve to curve. The values are in the tables below.":
        "Las flechas del teclado avanzan sobre una curva y pasan de una a otra. Los valores están "
        "en las tablas de abajo.",
    "Point at a curve, or use the arrow keys on the figure, for its values.":
        "Los valores aparecen al apuntar a una curva, o con las flechas del teclado en la figura.",
    "Curves, each to switch on or off": "Curvas, cada una se enciende o se apaga",
    "More curves, each to switch on or off": "Más curvas, cada una se enciende o se apaga",
    "{n} more curves": "{n} curvas más",
    "Lines: {note}.": "Líneas: {note}.",
    "Points: {note}.": "Puntos: {note}.",
    "Bars: {note}.": "Barras: {note}.",
    "Filter": "Filtrar",
    "{shown} of {all} runs": "{shown} de {all} entrenamientos",
    "{shown} of {all} rows": "{shown} de {all} filas",
    "{shown} of {all} curves": "{shown} de {all} curvas",
    "{n} rows": "{n} filas",
    "Copy the data": "Copiar los datos",
    "SVG": "SVG",
    "Save the picture": "Guardar la imagen",
    "best so far": "la mejor hasta ahí",
    "Copied: {rows} rows of CSV.": "Copiado: {rows} filas de CSV.",
    "curve": "curva",
    "This browser does not let a page copy: press Ctrl+C or Command+C.":
        "Este navegador no permite que una página copie: use Ctrl+C o Command+C.",
    "highest": "máximo",
    "lowest": "mínimo",
    "name": "nombre",
    "picture": "imagen",
    "row": "fila",
    "Saved: {name}": "Guardado: {name}",
    "text": "texto",
    "The data as CSV": "Los datos como CSV",
    "All config keys": "Todas las claves de la configuración",
    "Not measured by these runs: {n}": "No se midieron en estos entrenamientos: {n}",
    "{n} more: {outcome}": "{n} más: {outcome}",
    "Scores of each example": "Puntuaciones de cada ejemplo",
    "{npz} (NumPy) and {csv} of the work directory have {n:,} rows, one for each example by its "
    "id, and the columns {columns}.":
        "{npz} (NumPy) y {csv} del directorio de trabajo tienen {n:,} filas, una por ejemplo según "
        "su id, y las columnas {columns}.",
    "A report of rethinking_jax on experiments of {authors}: {title}, {link}.":
        "Un informe de rethinking_jax sobre experimentos de {authors}: {title}, {link}.",
}  # fmt: skip
