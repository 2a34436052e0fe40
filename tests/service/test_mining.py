from service.mining import nearest_passages


def test_the_nearest_passages_are_found_across_languages() -> None:
    passages = [
        "Der Leuchtturm von Arkenholm wurde 1871 aus grauem Granit gebaut.",
        "Bread is baked from flour, water and salt.",
        "La moneda de la isla se acuñaba en plata.",
    ]
    nearest = nearest_passages("cpu")
    assert nearest(["When was the lighthouse built?", "What is bread made of?"], passages, 1) == [[0], [1]]
    assert [sorted(places) for places in nearest(["salt"], passages, 9)] == [[0, 1, 2]]
    assert nearest([], passages, 2) == []
