"""Hashes and proofs against the vectors of Certificate Transparency, and every proof of every small log."""

from __future__ import annotations

import functools
import hashlib

import pytest

from webapp.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

# The inputs and hashes of google/certificate-transparency, merkletree/merkle_tree_test.cc.
CT_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (leaf, size, path) and (old, new, path), counted from 1 and 0 as in that file.
CT_PATHS = [
    (0, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (5, 8, ["bc1a0643", "ca854ea1", "d37ee418"]),
    (2, 3, ["fac54203"]),
    (1, 5, ["6e340b9c", "5f083f0a", "bc1a0643"]),
]
CT_CONSISTENCY = [
    (1, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (6, 8, ["0ebc5d34", "ca854ea1", "d37ee418"]),
    (2, 5, ["5f083f0a", "bc1a0643"]),
]
SIZES = 65


class Log:
    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.frontier = Frontier()
        self.nodes = {(0, index): leaf for index, leaf in enumerate(leaves)}
        for leaf in leaves:
            self.nodes |= {(level, index): sha for level, index, sha in self.frontier.append(leaf)}

    def read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


@functools.cache
def definition(leaves: tuple[bytes, ...]) -> bytes:
    """The recursive definition of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = max(2**n for n in range(10) if 2**n < len(leaves))
    return node_hash(definition(leaves[:split]), definition(leaves[split:]))


@pytest.fixture(scope="module")
def small() -> Log:
    return Log([leaf_hash(bytes([n])) for n in range(SIZES)])


@pytest.fixture(scope="module")
def ct() -> Log:
    return Log([leaf_hash(bytes.fromhex(text)) for text in CT_INPUTS])


def test_roots_are_those_of_certificate_transparency(ct: Log) -> None:
    assert [root_at(size, ct.read).hex() for size in range(1, 9)] == CT_ROOTS
    assert root_at(0, ct.read) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("index", "size", "path"), CT_PATHS)
def test_audit_paths_are_those_of_certificate_transparency(ct: Log, index: int, size: int, path: list[str]) -> None:
    assert [sha.hex()[:8] for sha in inclusion_proof(index, size, ct.read)] == path


@pytest.mark.parametrize(("old", "new", "path"), CT_CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(ct: Log, old: int, new: int, path: list[str]) -> None:
    assert [sha.hex()[:8] for sha in consistency_proof(old, new, ct.read)] == path


def test_every_small_root_is_the_definition(small: Log) -> None:
    for size in range(1, SIZES + 1):
        assert root_at(size, small.read) == definition(tuple(small.leaves[:size]))


def test_every_small_inclusion_proof_verifies_and_no_other_leaf_does(small: Log) -> None:
    for size in range(1, SIZES + 1):
        root = definition(tuple(small.leaves[:size]))
        for index in range(size):
            path = inclusion_proof(index, size, small.read)
            verify_inclusion(index=index, size=size, leaf=small.leaves[index], root=root, path=path)
            with pytest.raises(ProofError):
                verify_inclusion(index=index, size=size, leaf=leaf_hash(b"forged"), root=root, path=path)
            if size > 1:
                with pytest.raises(ProofError):
                    verify_inclusion(index=index, size=size, leaf=small.leaves[index], root=root, path=path[:-1])
                with pytest.raises(ProofError):
                    verify_inclusion(
                        index=(index + 1) % size, size=size, leaf=small.leaves[index], root=root, path=path
                    )


def test_every_small_consistency_proof_verifies_and_no_other_root_does(small: Log) -> None:
    for new in range(1, SIZES + 1):
        new_root = definition(tuple(small.leaves[:new]))
        for old in range(1, new + 1):
            old_root = definition(tuple(small.leaves[:old]))
            path = consistency_proof(old, new, small.read)
            verify_consistency(old=old, new=new, old_root=old_root, new_root=new_root, path=path)
            with pytest.raises(ProofError):
                verify_consistency(old=old, new=new, old_root=leaf_hash(b"forged"), new_root=new_root, path=path)
            with pytest.raises(ProofError):
                verify_consistency(old=old, new=new, old_root=old_root, new_root=new_root, path=[*path, old_root])


def test_a_leaf_cannot_pass_for_a_node(small: Log) -> None:
    left, right = small.leaves[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
