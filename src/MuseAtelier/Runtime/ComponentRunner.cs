using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MuseAtelier.Format;
using MuseAtelier.Residency;

namespace MuseAtelier.Runtime;

/// <summary>
/// Runs a component for one shape, with bindings that are created once for each stage. The tensors lie in one block of device memory, in
/// which tensors whose lifetimes do not overlap share bytes. The block also holds inputs and outputs that the caller does not place.
/// </summary>
internal sealed class ComponentRunner : IDisposable
{
    /// <summary>The key of ONNX Runtime's run option that names the arenas to shrink at the end of a run.</summary>
    public const string ArenaToTrim = "memory.enable_memory_arena_shrinkage";

    private readonly List<(StageSpec Spec, InferenceSession? Session, OrtIoBinding? Binding)> _stages = [];
    private readonly List<OrtValue> _values = [];
    private readonly Dictionary<string, nint> _addresses = [];
    private readonly Dictionary<string, TensorSpec> _specs = [];
    private readonly NativeBuffer _block;
    private readonly bool _ownsBlock;
    private readonly PictureShape _shape;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly SessionRotation? _rotation;
    private readonly ComponentSpec _component;
    private readonly StageWeights _weights;
    private readonly RunOptions _trimming;

    /// <summary>Allocates the block and creates the bindings.</summary>
    /// <param name="component">The component.</param>
    /// <param name="shape">The sizes that the tensors' dimensions resolve to.</param>
    /// <param name="sessions">The pool that owns the sessions and weights; borrowed.</param>
    /// <param name="device">The device; borrowed.</param>
    /// <param name="placed">Device addresses of inputs and outputs that lie outside of the block; borrowed.</param>
    /// <param name="other">
    /// A runner that never runs at the same time. If its block is large enough, this one works in it instead of one of its own; borrowed.
    /// </param>
    public ComponentRunner(
        ComponentSpec component,
        PictureShape shape,
        SessionPool sessions,
        ExecutionDevice device,
        IReadOnlyDictionary<string, nint>? placed = null,
        ComponentRunner? other = null)
    {
        (_component, _shape, _device, _sessions, _rotation) = (component, shape, device, sessions, sessions.RotationOf(component));
        _weights = sessions.Weights(component);
        // The run options must be created once, because creating them for each run would allocate in the denoising loop.
        _trimming = device.CreateRunOptions();
        _trimming.AddRunConfigEntry(ArenaToTrim, device.Arena);
        foreach (TensorSpec tensor in component.Inputs.Concat(component.Outputs).Concat(component.Intermediates))
            _specs[tensor.Name] = tensor;
        List<TensorSpec> own = [.. _specs.Values.Where(tensor => placed is null || !placed.ContainsKey(tensor.Name))];
        (long bytes, long[] offsets) = TensorBlocks.Place(component, own, shape);
        _ownsBlock = other is null || other.Bytes < bytes;
        _block = _ownsBlock ? device.Allocate(Math.Max(bytes, 1)) : other!._block;
        try
        {
            for (int i = 0; i < own.Count; i++) _addresses[own[i].Name] = _block.Address + (nint)offsets[i];
            foreach ((string name, nint address) in placed ?? new Dictionary<string, nint>()) _addresses[name] = address;
            for (int i = 0; i < component.Stages.Count; i++)
            {
                StageSpec stage = component.Stages[i];
                bool rotates = _rotation is not null && SessionWeights.Rotates(stage);
                InferenceSession? session = rotates ? null : sessions.For(component, stage);
                _stages.Add((stage, session, session is null ? null : Bind(i, stage, session, _values)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Size of the block in bytes.</summary>
    public long Bytes => _block.Bytes;

    /// <summary>Device address of the block.</summary>
    public nint Block => _block.Address;

    /// <summary>Device address of an input or output.</summary>
    public nint Address(string tensor) => _addresses[tensor];

    /// <summary>Bytes of an input or output.</summary>
    public long Size(string tensor) => _specs[tensor].Bytes(_shape);

    /// <summary>Copies values to an input and waits until they are on the device. Must not be used while a run is under way.</summary>
    /// <param name="input">The input's name.</param>
    /// <param name="values">As many bytes as the input has; borrowed.</param>
    /// <exception cref="ArgumentException">The values have another size.</exception>
    public void Write<T>(string input, ReadOnlySpan<T> values) where T : unmanaged
    {
        using NativeBuffer host = _device.AllocateHost(Size(input));
        Span<T> room = host.AsSpan<T>();
        RequireLength(input, room.Length, values.Length);
        values.CopyTo(room);
        Write(input, host);
        _device.Synchronize();
    }

    /// <summary>
    /// Starts to copy a buffer to an input, and returns at once. The buffer must not change until the device has been synchronized.
    /// </summary>
    /// <param name="input">The input's name.</param>
    /// <param name="host">Host memory of the input's size; borrowed.</param>
    public void Write(string input, NativeBuffer host) => _device.Upload(host.Address, Address(input), host.Bytes);

    /// <summary>Waits for the device, and copies an output to the host.</summary>
    /// <param name="output">The output's name.</param>
    /// <param name="values">As many bytes as the output has; overwritten.</param>
    /// <exception cref="ArgumentException">The values have another size.</exception>
    public void Read<T>(string output, Span<T> values) where T : unmanaged
    {
        using NativeBuffer host = _device.AllocateHost(Size(output));
        Span<T> room = host.AsSpan<T>();
        RequireLength(output, room.Length, values.Length);
        Read(output, host);
        _device.Synchronize();
        room.CopyTo(values);
    }

    /// <summary>
    /// Starts to copy an output to a buffer, and returns at once. The buffer is complete when the device has been synchronized.
    /// </summary>
    /// <param name="output">The output's name.</param>
    /// <param name="host">Host memory of the output's size; overwritten.</param>
    public void Read(string output, NativeBuffer host) => _device.Download(Address(output), host.Address, host.Bytes);

    /// <summary>
    /// Starts to copy an output to pinned managed memory, and returns at once. The memory is complete when the device has been
    /// synchronized, and must stay pinned until then.
    /// </summary>
    /// <param name="output">The output's name.</param>
    /// <param name="host">Pinned memory of the output's size; overwritten.</param>
    /// <param name="bytes">Size of the memory in bytes.</param>
    /// <exception cref="ArgumentException">The memory has another size.</exception>
    public unsafe void Read(string output, in MemoryHandle host, long bytes)
    {
        RequireLength(output, checked((int)Size(output)), checked((int)bytes));
        _device.Download(Address(output), (nint)host.Pointer, bytes);
    }

    /// <summary>Whether <see cref="Capture"/> may be tried.</summary>
    public bool CanCapture => _rotation is null && _sessions.MayCapture && _weights.CanCapture;

    /// <summary>Runs all stages in order. Allocates nothing managed if the component's sessions do not rotate.</summary>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    /// <param name="isLastRound">Whether the component is not run again soon. If so, no sessions are created ahead for it, and its last
    /// stage shrinks the arena if the plan requires it. That stage is not stopped in the middle.</param>
    public void Run(RunOptions options, CancellationToken cancellationToken, bool isLastRound = true)
    {
        for (int i = 0; i < _stages.Count; i++)
        {
            (StageSpec stage, InferenceSession? session, OrtIoBinding? binding) = _stages[i];
            cancellationToken.ThrowIfCancellationRequested();
            bool trimsArena = isLastRound && _sessions.TrimsArenaOf(_component) && i == _stages.Count - 1;
            _weights.BeforeStage(i);
            try
            {
                RunOptions run = trimsArena ? _trimming : options;
                if (session is null) RunRotating(i, stage, run, isLastRound);
                else session.RunWithBinding(run, binding);
            }
            catch (OnnxRuntimeException) when (cancellationToken.IsCancellationRequested)
            {
                // ONNX Runtime has no error code for a terminated run.
                throw new OperationCanceledException(cancellationToken);
            }
            catch (OnnxRuntimeException exception)
            {
                throw _device.Failure(exception, stage.Name, "failed in", stage.Name);
            }

            _weights.AfterStage(i);
        }
    }

    /// <summary>Replays a captured run. Allocates nothing managed.</summary>
    public void Replay(CapturedRun captured)
    {
        _weights.BeforeReplay();
        captured.Launch();
    }

    /// <summary>Captures a run. Returns null if the device cannot. The captured run works on this runner's memory.</summary>
    public CapturedRun? Capture(RunOptions options, CancellationToken cancellationToken)
    {
        _weights.BeginCapture();
        try
        {
            return _device.Capture(() =>
            {
                // A cancellation must propagate, because reporting it as a capture failure would disable capturing for good.
                Run(options, cancellationToken);
                _weights.JoinCapture();
            });
        }
        finally
        {
            _weights.EndCapture();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, _, OrtIoBinding? binding) in _stages) binding?.Dispose();
        foreach (OrtValue value in _values) value.Dispose();
        _stages.Clear();
        _values.Clear();
        if (_ownsBlock) _block.Dispose();
        _trimming.Dispose();
    }

    private static void RequireLength(string tensor, int expected, int found)
    {
        if (found != expected) throw new ArgumentException($"The tensor {tensor} has {expected} elements, not {found}.", nameof(found));
    }

    private void RunRotating(int index, StageSpec stage, RunOptions options, bool isLastRound)
    {
        List<OrtValue> values = [];
        InferenceSession session = _rotation!.Take(stage, isLastRound);
        try
        {
            using OrtIoBinding binding = Bind(index, stage, session, values);
            session.RunWithBinding(options, binding);
            // The session must not be released before its queued work has finished.
            _device.Synchronize();
        }
        finally
        {
            foreach (OrtValue value in values) value.Dispose();
            _rotation.Return(stage);
        }
    }

    private OrtIoBinding Bind(int index, StageSpec stage, InferenceSession session, List<OrtValue> values)
    {
        OrtIoBinding binding = session.CreateIoBinding();
        foreach (WeightSpec weight in stage.Weights)
        {
            ElementType type = _weights.TypeOf(weight);
            long bytes = weight.Elements * type.Size();
            OrtValue value = Tensor(type, [.. weight.Shape], _weights.Address(index, weight), bytes, values);
            binding.BindInput(weight.Graph, value);
        }

        foreach (BindingSpec input in stage.Inputs) binding.BindInput(input.Graph, Tensor(input.Tensor, values));
        foreach (BindingSpec output in stage.Outputs) binding.BindOutput(output.Graph, Tensor(output.Tensor, values));
        return binding;
    }

    private OrtValue Tensor(string name, List<OrtValue> values)
    {
        TensorSpec spec = _specs[name];
        long[] shape = [.. spec.Shape.Select(dimension => dimension.Resolve(_shape))];
        return Tensor(spec.Type, shape, _addresses[name], spec.Bytes(_shape), values);
    }

    private OrtValue Tensor(ElementType type, long[] shape, nint address, long bytes, List<OrtValue> values)
    {
        OrtValue value = OrtValue.CreateTensorValueWithData(_device.Memory, RuntimeType(type), shape, address, bytes);
        values.Add(value);
        return value;
    }

    private static TensorElementType RuntimeType(ElementType type) => type switch
    {
        ElementType.F32 => TensorElementType.Float,
        ElementType.F16 => TensorElementType.Float16,
        ElementType.BF16 => TensorElementType.BFloat16,
        ElementType.I64 => TensorElementType.Int64,
        ElementType.I32 => TensorElementType.Int32,
        ElementType.U8 => TensorElementType.UInt8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
