using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Weights that are loaded together, in pieces that several threads share.</summary>
internal sealed class WeightLoad
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _failure;
    private int _remaining;

    /// <summary>Cuts stages into pieces.</summary>
    /// <param name="stages">The stages.</param>
    /// <param name="loras">The LoRAs that change them; null if there are none.</param>
    /// <param name="toHost">Whether they are loaded into pinned memory, and not into device memory.</param>
    /// <param name="isKept">Weights for which it is true are in place already; null means that none is.</param>
    /// <param name="stopping">Fails the load before its next piece.</param>
    public WeightLoad(
        IEnumerable<StageMemory> stages,
        AppliedLoras? loras,
        bool toHost,
        Func<WeightSpec, bool>? isKept,
        CancellationToken stopping)
    {
        (Loras, ToHost, Stopping) = (loras, toHost, stopping);
        Pieces = [.. stages.SelectMany(stage => PartsOf(stage, isKept).Select(part => new Piece(this, stage, part, ProductsOf(part))))];
        MergesOnHost = Pieces.Any(piece => toHost ? piece.Stage.IsChangedBy(loras) : piece is { Part.Changed: not null, Products: null });
        _remaining = Pieces.Count;
    }

    /// <summary>The LoRAs that change the weights; null if there are none.</summary>
    public AppliedLoras? Loras { get; }

    /// <summary>Whether the weights are loaded into pinned memory, and not into device memory.</summary>
    public bool ToHost { get; }

    /// <summary>Fails the load before its next piece.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>The pieces, in the order of the weights.</summary>
    public IReadOnlyList<Piece> Pieces { get; }

    /// <summary>Whether the processor computes a changed weight.</summary>
    public bool MergesOnHost { get; }

    /// <summary>Ends when all pieces are done, with the first failure if one failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Reports that a piece is done. Must be called once for each piece.</summary>
    /// <param name="failure">The failure; null if there was none.</param>
    public void Done(Exception? failure)
    {
        if (failure is not null) Interlocked.CompareExchange(ref _failure, failure, null);
        if (Interlocked.Decrement(ref _remaining) != 0) return;
        if (_failure is null) _completion.SetResult();
        else _completion.SetException(_failure);
    }

    // A stage that has no pinned memory yet is one part, so that the threads allocate the memory of several stages at once.
    private IEnumerable<StagePart> PartsOf(StageMemory stage, Func<WeightSpec, bool>? isKept) => ToHost && stage.Host is null
        ? [new StagePart(0, stage.Bytes, null)]
        : stage.Parts(Loras, WeightReader.PieceBytes, isKept);

    private LoraProducts? ProductsOf(StagePart part)
    {
        LoraProducts? products = ToHost || part.Changed is null ? null : Loras!.ProductsOf(part.Changed);
        return products is not null && DeviceMerge.MostRows(products) > 0 ? products : null;
    }

    /// <summary>A part of a stage that one thread loads.</summary>
    /// <param name="Load">The load that it belongs to.</param>
    /// <param name="Stage">The stage.</param>
    /// <param name="Part">The part.</param>
    /// <param name="Products">The changes that the device makes by itself; null if there are none, or if the processor makes them.</param>
    internal readonly record struct Piece(WeightLoad Load, StageMemory Stage, StagePart Part, LoraProducts? Products)
    {
        /// <summary>The part in the package.</summary>
        public WeightRange From => Part.Within(Stage.Range);

        /// <summary>Device address of its first byte.</summary>
        public nint Device => Stage.Device + (nint)Part.Offset;
    }
}
