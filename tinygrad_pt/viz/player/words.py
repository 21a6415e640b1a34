"""The words of the player's page, in both languages; `{}` stands for what is filled in."""

from __future__ import annotations

WORDS = {
    "en": {
        "play": "Play", "pause": "Pause", "next": "Next step", "back": "Step back", "first": "To the start",
        "last": "To the end", "scrub": "Step", "speed": "Speed", "start": "Start", "forward": "Forward pass",
        "seed": "Seed", "backward": "Backward pass", "update": "Update", "iteration": "Iteration {}",
        "step": "Step {} of {}", "fit": "Show all", "larger": "Larger", "smaller": "Smaller", "language": "Language",
        "theme": "Colours", "auto": "Automatic", "light": "Light", "dark": "Dark", "present": "Presenter mode",
        "help": "Settings and keys", "numbers": "Inputs and weights", "table": "All numbers as a table",
        "steps": "All steps",
        "graph": "Computation graph", "name": "Name", "op": "Operation", "value": "Value", "gradient": "Gradient",
        "locals": "Local derivatives", "rate": "Learning rate η", "descend": "Update the weights",
        "many": "10 iterations",
        "restore": "Restore", "cost": "{} by iteration", "change": "change {}", "pending": "not computed yet",
        "empty": "empty", "each": "Backward steps", "byedge": "one argument at a time",
        "bynode": "one value at a time",
        "hello": "Values flow forward, gradients flow back. Press Play, or → for one step.",
        "given": "{} is given.", "computed": "{} is computed from {}.",
        "seeding": "The backward pass starts here: {} grows by 1 for every 1 by which {} grows.",
        "arrives": "The gradient of {} reaches {} through the local derivative of {}.",
        "grows": "{} grows by {} for every 1 by which {} grows.",
        "meets": "Path {} of {} that meet in {}: their gradients are added.",
        "updating": "Every weight takes a step against its gradient; the next forward pass shows what {} becomes.",
        "recorded": "This page plays back recorded numbers, without sliders: {}.",
        "lacks": "it does not compute {}", "large": "arrays of more than 256 elements", "own": "functions of your own",
        "missing": "some values were not kept", "differs": "its own results differ from the recorded ones",
        "frozen": "The graph is that of one run: a branch that your program took stays taken.",
        "keys": "← → step · Home, End · Space play · F forward, B backward · U update · P presenter mode · "
                "+ − 0 zoom · arrows walk along the edges while the graph has the focus, Enter shows a value's "
                "whole derivative · Esc back · ? help",
        "checked": "finite difference {}", "sum": "The sum over all paths that leave {}",
    },
    "pt": {
        "play": "Tocar", "pause": "Pausar", "next": "Próximo passo", "back": "Passo anterior", "first": "Ao início",
        "last": "Ao fim", "scrub": "Passo", "speed": "Velocidade", "start": "Início", "forward": "Ida",
        "seed": "Semente", "backward": "Volta", "update": "Atualização", "iteration": "Iteração {}",
        "step": "Passo {} de {}", "fit": "Mostrar tudo", "larger": "Aumentar", "smaller": "Diminuir",
        "language": "Idioma", "theme": "Cores", "auto": "Automático", "light": "Claro", "dark": "Escuro",
        "present": "Modo de apresentação", "help": "Ajustes e teclas", "numbers": "Entradas e pesos",
        "table": "Todos os números em tabela", "steps": "Todos os passos", "graph": "Grafo de computação",
        "name": "Nome", "op": "Operação", "value": "Valor", "gradient": "Gradiente", "locals": "Derivadas locais",
        "rate": "Taxa de aprendizado η", "descend": "Atualizar os pesos", "many": "10 iterações",
        "restore": "Restaurar", "cost": "{} por iteração", "change": "variação {}", "pending": "ainda não calculado",
        "empty": "vazio", "each": "Passos da volta", "byedge": "um argumento por vez", "bynode": "um valor por vez",
        "hello": "Os valores vão para frente, os gradientes voltam. Pressione Tocar, ou → para um passo.",
        "given": "{} é dado.", "computed": "{} é calculado de {}.",
        "seeding": "A volta começa aqui: {} cresce 1 para cada 1 que {} cresce.",
        "arrives": "O gradiente de {} chega a {} pela derivada local de {}.",
        "grows": "{} cresce {} para cada 1 que {} cresce.",
        "meets": "Caminho {} de {} que se encontram em {}: os gradientes se somam.",
        "updating": "Cada peso dá um passo contra o seu gradiente; a próxima ida mostra o que {} se torna.",
        "recorded": "Esta página reproduz números gravados, sem controles deslizantes: {}.",
        "lacks": "ela não calcula {}", "large": "matrizes com mais de 256 elementos", "own": "funções suas",
        "missing": "alguns valores não foram guardados", "differs": "os resultados dela diferem dos gravados",
        "frozen": "O grafo é o de uma execução: um desvio que o seu programa tomou continua tomado.",
        "keys": "← → passo · Home, End · Espaço toca · F ida, B volta · U atualiza · P apresentação · + − 0 zoom · "
                "as setas seguem as arestas quando o grafo tem o foco, Enter mostra a derivada inteira de um valor · "
                "Esc volta · ? ajuda",
        "checked": "diferença finita {}", "sum": "A soma sobre todos os caminhos que saem de {}",
    },
}  # fmt: skip
