using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>A reader of files or texts from untrusted sources.</summary>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>The targets by their names on the command line.</summary>
    public static IReadOnlyDictionary<string, Func<FuzzTarget>> All { get; } =
        new Dictionary<string, Func<FuzzTarget>>(StringComparer.Ordinal)
        {
            ["manifests"] = () => new ManifestTarget(),
            ["records"] = () => new RecordTarget(),
            ["checkpoints"] = () => new CheckpointTarget(),
            ["references"] = () => new ReferenceTarget(),
            ["pictures"] = () => new PictureTarget(),
            ["parameters"] = () => new ParametersTarget(),
            ["tokens"] = () => new TokensTarget(),
            ["loras"] = () => new LoraTarget(),
            ["embeddings"] = () => new EmbeddingTarget(),
            ["torch"] = () => new TorchTarget(),
            ["folders"] = () => new ModelFolderTarget(),
        };

    /// <summary>Files of the target.</summary>
    protected StormFolder Folder { get; } = new();

    /// <summary>Prepares an input: a valid one for number 0, and a damaged one otherwise.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="index">Number of the input.</param>
    /// <returns>The damaged bytes, for keeping.</returns>
    public abstract byte[] Prepare(Random random, int index);

    /// <summary>Reads the prepared input.</summary>
    /// <exception cref="MuseAtelierException">The reader refuses the input, as it may.</exception>
    public abstract void Read();

    /// <summary>Uses an accepted input further, such as for a picture. This is slow, so it is not done for all inputs.</summary>
    public virtual Task UseAsync() => Task.CompletedTask;

    public virtual void Dispose() => Folder.Dispose();
}
