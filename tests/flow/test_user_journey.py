"""User journey: playlists, favourites, hidden and similar movies, on a shared platform."""


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_private_playlist_is_hidden_from_others_at_once(shared_platform, register_client):
    platform = shared_platform.platform
    ann, bob = register_client(platform, "ann"), register_client(platform)
    created = ann.command.post(
        "/v1/playlists",
        json={"name": "Rainy days", "visibility": "public"},
        headers=dict(ann.headers),
    )
    assert created.status_code == 201, created.text
    path = f"/v1/playlists/{created.json()['id']}"
    for movie in (3, 1):
        at = ann.put(f"{path}/movies/{movie}", {}).headers["Log-Position"]
    at = ann.put(f"{path}/movies/2", {"position": 0}).headers["Log-Position"]
    assert ids(bob.read(path, at)) == [2, 3, 1]
    playlist = bob.read(path, at).json()
    assert (playlist["name"], playlist["owner"], playlist["version"]) == ("Rainy days", "ann", 4)
    assert ids(bob.read("/v1/playlists?q=rain", at)) == [playlist["id"]]

    hidden = ann.command.patch(path, json={"visibility": "private"}, headers=dict(ann.headers))
    assert hidden.status_code == 200, hidden.text
    at = hidden.headers["Log-Position"]
    assert bob.read(path, at).status_code == 404
    assert ids(bob.read("/v1/playlists", at)) == []
    assert ids(ann.read(path, at)) == [2, 3, 1]
    assert ids(ann.read("/v1/me/playlists", at)) == [playlist["id"]]


def test_favourites_hidden_movies_and_likes_show_at_once(shared_platform, register_client):
    platform = shared_platform.platform
    ann, bob = register_client(platform, "anne"), register_client(platform)
    at = ann.put("/v1/movies/1/favourite", {}).headers["Log-Position"]
    assert ids(ann.read("/v1/me/favourites", at)) == [1]
    at = ann.put("/v1/movies/2/hidden", {}).headers["Log-Position"]
    assert not {1, 2} & set(ids(ann.read("/v1/me/recommendations", at)))
    me = ann.read("/v1/me", at).json()
    assert (me["username"], me["counts"]["favourites"], me["counts"]["hidden"]) == ("anne", 1, 1)

    at = ",".join(
        person.put(f"/v1/movies/{movie}/rating", {"score": 9}).headers["Log-Position"]
        for person in (ann, bob)
        for movie in (5, 6)
    )
    alike = ann.read("/v1/movies/5/similar", at).json()["items"]
    assert [(it["id"], it["similarity"]["support"]) for it in alike if it["id"] == 6] == [(6, 2)]
    assert ids(ann.read("/v1/suggestions?q=amleie", at)) == [1]
    assert platform.manage("verify", "--all") == 0
