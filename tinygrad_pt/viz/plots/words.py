"""The words of training pictures, in both languages."""

from __future__ import annotations

from tinygrad_pt.viz.text import clean

WORDS = {
    "en": {
        "epoch": "epoch", "step": "step", "loss": "loss", "accuracy": "accuracy", "error": "error", "val": "validation",
        "train": "training", "class": "class", "predicted": "predicted", "true": "true", "right": "right",
        "of": "of", "more": "more", "input": "input", "output": "output", "weights": "Weights", "maps": "Feature maps",
        "region": "Decision region", "confusion": "Confusion matrix", "norms": "Norm of the gradient, layer by layer",
        "norm": "‖gradient‖", "surface": "Loss surface", "start": "start", "end": "end", "direction": "direction",
        "learning": "Learning", "value": "value", "play": "play", "pause": "pause", "frame": "frame",
        "rows": "share of the row", "missing": "matplotlib is missing. The mend:",
    },
    "pt": {
        "epoch": "época", "step": "passo", "loss": "erro", "accuracy": "acurácia", "error": "taxa de erro",
        "val": "validação", "train": "treino", "class": "classe", "predicted": "previsto", "true": "verdadeiro",
        "right": "certos", "of": "de", "more": "outros", "input": "entrada", "output": "saída", "weights": "Pesos",
        "maps": "Mapas de características", "region": "Região de decisão", "confusion": "Matriz de confusão",
        "norms": "Norma do gradiente, camada por camada", "norm": "‖gradiente‖", "surface": "Superfície do erro",
        "start": "início", "end": "fim", "direction": "direção", "learning": "Aprendizado", "value": "valor",
        "play": "tocar", "pause": "pausar", "frame": "quadro", "rows": "parte da linha",
        "missing": "falta o matplotlib. O conserto:",
    },
}  # fmt: skip


def word(name: object, lang: str) -> str:
    """A user's word: translated where the table has it, else cleaned.

    >>> word("loss", "pt"), word("F1\\nscore", "pt")
    ('erro', 'F1 score')
    """
    return WORDS[lang].get(str(name)) or clean(name, 60)


def percent(share: float, lang: str) -> str:
    """A share as a percentage with one decimal.

    >>> percent(0.9725, "pt")
    '97,2 %'
    """
    text = f"{100 * share:.1f} %"
    return text.replace(".", ",") if lang == "pt" else text
