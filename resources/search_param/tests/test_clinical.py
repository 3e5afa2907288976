from resources import definitions
from resources.search_param.clinical import CLINICAL
from resources.search_param.date import CLINICAL_LEAVES
from resources.search_param.parameters import parameters


def test_every_clinical_parameter_is_a_date_that_nothing_else_reads():
    for type, code in CLINICAL.items():
        known = parameters(type)
        assert known[code].kind == "date", type
        texts = {branch.text for branch in known[code].branches}
        others = [p for p in known.values() if p.kind == "date" and p.code != code]
        assert not any(branch.text in texts for p in others for branch in p.branches), type
        assert all(leaf.type in CLINICAL_LEAVES for branch in known[code].branches for leaf in branch.leaves)
    assert set(CLINICAL) <= definitions.RESOURCE_TYPES
