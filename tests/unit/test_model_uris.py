"""Where a registered model may lie."""

import pytest

from allotment.model.registered_models import check_uri


@pytest.mark.promise("MODEL-1")
@pytest.mark.parametrize(
    "uri",
    [
        "s3://lake/churn/3",
        "abfs://models@account.dfs.core.windows.net/churn",
        "gs://lake/über/churn",
        "https://models.example/churn?version=3",
        "models:/churn/3",
        "runs:/0af1/model",
        "file:///srv/models/churn.onnx",
        "/srv/models/churn.onnx",
    ],
)
def test_a_model_lies_where_models_lie(uri: str) -> None:
    assert check_uri(uri) == uri


@pytest.mark.promise("MODEL-1")
@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//s3://lake/x",
        "javascript://%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "s3:javascript",
        "//evil.example/x",
        "https://ann:hunter2@models.example/churn",
        "s3://lake/a\u202egpj.exe",
        "s3://lake/a b",
        "https:///evil.example",
        "churn.onnx",
        "",
    ],
)
def test_what_a_browser_would_run_or_nobody_sees_is_no_place_of_a_model(uri: str) -> None:
    with pytest.raises(ValueError, match=r"where a model may lie|leave name and password out"):
        check_uri(uri)
